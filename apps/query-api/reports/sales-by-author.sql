-- Purchases, distinct books and distinct buyers for each author, the author sold most often first.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
-- :rows integer 1..1000 = 100: Number of authors
SELECT author, count(*) AS purchases, count(DISTINCT book_id) AS books, count(DISTINCT user_id) AS buyers
FROM purchases
WHERE dt >= :from AND dt <= :to
GROUP BY author
ORDER BY purchases DESC, author
LIMIT :rows
