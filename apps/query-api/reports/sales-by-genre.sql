-- Purchases, distinct buyers and their average age for each genre, the genre sold most often first.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
SELECT genre, count(*) AS purchases, count(DISTINCT user_id) AS buyers, round(avg(user_age), 1) AS average_age
FROM purchases
WHERE dt >= :from AND dt <= :to
GROUP BY genre
ORDER BY purchases DESC, genre
