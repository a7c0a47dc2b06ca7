// node --conditions=source src/distributed/service-process.ts <service> [--manifest <file>] [--orders <file>]
//
// One service of the warehouse in a process of its own, at DATABASE_URL and REDIS_URL. npm start
// -- --distributed starts sixteen of them; by hand it joins a run that was begun.

import { runAsProcess } from './run-as-process.ts';

await runAsProcess();
