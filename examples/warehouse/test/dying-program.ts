// node --conditions=source test/dying-program.ts <how> [<file>]
//
// A process such as a supervisor watches, which ends in one way or another.

import { existsSync, writeFileSync } from 'node:fs';

const [how = '', file = ''] = process.argv.slice(2);
const beReady = () => process.send!({ kind: 'ready' });

switch (how) {
  case 'fails':
    console.error('the door is locked');
    process.exitCode = 3;
    break;
  case 'dies once':
    beReady();
    if (!existsSync(file)) {
      writeFileSync(file, '');
      process.kill(process.pid, 'SIGKILL');
    }
    obey();
    break;
  case 'loses':
    process.send!({ kind: 'lost', what: 'a parcel' });
    beReady();
    obey();
    break;
  case 'does not obey':
    process.on('SIGTERM', () => {});
    process.on('disconnect', () => process.exit());
    beReady();
    break;
  default:
    beReady();
    obey();
}

function obey(): void {
  process.once('SIGTERM', () => process.disconnect());
  process.on('disconnect', () => {}); // keeps the channel, and so the process, open
}
