-- Purchases, distinct buyers and their average age for each country, the country with most purchases first.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
SELECT user_country, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS average_age
FROM purchases
WHERE dt >= :from AND dt <= :to
GROUP BY user_country
ORDER BY purchases DESC, user_country
