-- Buyers with several purchases, with distinct books and the first and last day, the most frequent buyer first.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
-- :purchases integer 2..1000000 = 2: Fewest purchases of a buyer
-- :rows integer 1..1000 = 100: Number of buyers
SELECT user_id, count(*) AS purchases, count(DISTINCT book_id) AS books, min(dt) AS first_day, max(dt) AS last_day
FROM purchases
WHERE dt >= :from AND dt <= :to
GROUP BY user_id
HAVING count(*) >= :purchases
ORDER BY purchases DESC, user_id
LIMIT :rows
