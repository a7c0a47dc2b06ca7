// Loaded into every worker before its own code: a worker whose parent is gone ends at once.

process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Watching the channel must not keep a worker alive that has nothing else to do.
process.channel?.unref();
