-- What was wrong with the rows of session logs when they were taken, by source and check, over all batches: a batch counts only rows that had not
-- been taken before. `examples`: of the last batch in which some failed, as file:line. What is wrong with sessions is in `session_flags`.
CREATE VIEW IF NOT EXISTS {database}.session_log_quality AS
SELECT
    source, check, sum(found.rows_checked) AS rows_checked, sum(found.rows_failed) AS rows_failed, if(rows_checked = 0, 0, rows_failed / rows_checked) AS share,
    max(found.checked_time) AS last_checked, argMaxIf(found.examples, found.checked_time, found.rows_failed > 0) AS examples
FROM {database}.data_quality AS found FINAL
GROUP BY source, check
ORDER BY source, rows_failed DESC, check;
