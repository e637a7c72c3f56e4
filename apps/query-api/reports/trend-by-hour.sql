-- Purchases and distinct buyers for each hour (UTC) with purchases, the first hour first.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
-- :rows integer 1..10000 = 744: Number of hours
SELECT purchase_hour, count(*) AS purchases, count(DISTINCT user_id) AS buyers
FROM (SELECT user_id, date_trunc('hour', purchase_timestamp) AS purchase_hour FROM purchases WHERE dt >= :from AND dt <= :to) AS chosen
GROUP BY purchase_hour
ORDER BY purchase_hour
LIMIT :rows
