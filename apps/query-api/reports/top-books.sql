-- Books sold most often, with purchases and distinct buyers.
-- :from date = 0001-01-01: First day (UTC) that counts
-- :to date = 9999-12-31: Last day (UTC) that counts
-- :genre text 128 = '': Only books of this genre; an empty text means every genre
-- :rows integer 1..1000 = 10: Number of books
SELECT book_id, max(title) AS title, max(author) AS author, count(*) AS purchases, count(DISTINCT user_id) AS buyers
FROM purchases
WHERE dt >= :from AND dt <= :to AND (:genre = '' OR genre = :genre)
GROUP BY book_id
ORDER BY purchases DESC, book_id
LIMIT :rows
