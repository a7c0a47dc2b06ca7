import { isEventError } from '../../errors.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { accessFaults } from './access-faults.ts';
import { inspectionFaults } from './inspection-faults.ts';
import { judgingFaults } from './judging-faults.ts';
import { lossFaults, messageFaults } from './message-faults.ts';
import { publishingFaults } from './publishing-faults.ts';
import { registryFaults } from './registry-faults.ts';
import { repeatFaults } from './repeat-faults.ts';
import { settlingFaults } from './settling-faults.ts';
import { flowFaults, groupFaults } from './subscription-faults.ts';
import { transportFault } from './transport-fault.ts';
import { troubleFaults } from './trouble-faults.ts';

const otherFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault(
    'swallows what is published without a connection',
    'refuses by name what comes before connect and after close',
    () => (inner) => ({ publish: (messages) => inner.publish(messages).catch(() => []) }),
  ),
  transportFault(
    'refuses without a name while it is closing',
    'accepts or refuses each publish by name while it is being closed',
    () => (inner) => ({
      publish: (messages) =>
        inner.publish(messages).catch((cause: unknown) => {
          throw isEventError(cause) ? new Error('socket hang up', { cause }) : cause;
        }),
    }),
  ),
  transportFault(
    'forgets a consumer that was being opened when it closed',
    'leaves no consumer behind that is being opened while it closes',
    () => (inner) => {
      let opening = 0;
      return {
        subscribe: (subscription, deliver) => {
          opening += 1;
          return inner.subscribe(subscription, deliver).finally(() => (opening -= 1));
        },
        close: async () => {
          if (opening === 0) await inner.close();
        },
      };
    },
  ),
  {
    name: 'claims a fence that it has not, or hides the one that it has',
    noticedBy: 'fills in a delivery count and a fence exactly if it claims them',
    plant: (options) => {
      const fencing = !options.capabilities.fencing;
      return { ...options, capabilities: { ...options.capabilities, fencing } };
    },
  },
  {
    name: 'declares other capabilities than it is tested for',
    noticedBy: 'declares the capabilities that it is tested for',
    plant: (options) => {
      const persistent = !options.capabilities.persistent;
      return { ...options, capabilities: { ...options.capabilities, persistent } };
    },
  },
];

/** Ways in which a transport can be wrong, each with the case of `describeTransport` that notices it. */
export const plantedTransportFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  ...lossFaults,
  ...messageFaults,
  ...publishingFaults,
  ...settlingFaults,
  ...repeatFaults,
  ...registryFaults,
  ...judgingFaults,
  ...groupFaults,
  ...flowFaults,
  ...troubleFaults,
  ...accessFaults,
  ...inspectionFaults,
  ...otherFaults,
];
