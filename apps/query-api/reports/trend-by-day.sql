-- Purchases, distinct buyers and distinct books for each day with purchases, the first day first.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
SELECT dt, count(*) AS purchases, count(DISTINCT user_id) AS buyers, count(DISTINCT book_id) AS books
FROM purchases
WHERE dt >= :from AND dt <= :to
GROUP BY dt
ORDER BY dt
