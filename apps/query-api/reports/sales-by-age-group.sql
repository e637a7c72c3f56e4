-- Purchases and distinct buyers for each age group, the youngest first. A group has the ages age_from to age_to.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
-- :years integer 1..150 = 10: Years of one group
SELECT age_from, max(age_to) AS age_to, count(*) AS purchases, count(DISTINCT user_id) AS buyers
FROM (
  SELECT user_id,
    CAST(user_age - user_age % years AS INTEGER) AS age_from,
    CAST(user_age - user_age % years + years - 1 AS INTEGER) AS age_to
  FROM (SELECT user_id, user_age, CAST(:years AS INTEGER) AS years FROM purchases WHERE dt >= :from AND dt <= :to) AS chosen
) AS grouped
GROUP BY age_from
ORDER BY age_from
