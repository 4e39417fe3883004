/**
 * Must be imported before anything else: libuv reads its number of threads once, when the first of them is needed. A query
 * inside chDB holds one for as long as it runs, so that with the default of 4 three long queries would stop all file reading.
 */
process.env['UV_THREADPOOL_SIZE'] ??= '16';
