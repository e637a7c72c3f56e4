# S3, Glue and Athena wire APIs on one machine. Athena runs its statements with DuckDB.
FROM python:3.12-slim
RUN pip install --no-cache-dir ministack==1.5.4 duckdb==1.5.5 \
 && install -d /data
EXPOSE 4566
CMD ["ministack"]
