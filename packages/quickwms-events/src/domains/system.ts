import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import { id, measure, prose, text, texts, timestamp } from './fields.ts';

/** Types of the events of the platform itself: services, settings, scheduled jobs. */
export const SystemEvents = {
  SYSTEM_SERVICE_STARTED: 'system.service_started',
  SYSTEM_SERVICE_STOPPED: 'system.service_stopped',
  SYSTEM_HEALTH_CHANGED: 'system.health_changed',
  SYSTEM_CONFIGURATION_CHANGED: 'system.configuration_changed',
  SYSTEM_JOB_COMPLETED: 'system.job_completed',
  SYSTEM_JOB_FAILED: 'system.job_failed',
  SYSTEM_MAINTENANCE_STARTED: 'system.maintenance_started',
  SYSTEM_MAINTENANCE_ENDED: 'system.maintenance_ended',
} as const;

/** Every service publishes these about itself, so none of them owns the types. */
const platform = 'quickwms';

/** Definitions of the events in {@link SystemEvents}. */
export const systemDefinitions = [
  defineEvent({
    type: SystemEvents.SYSTEM_SERVICE_STARTED,
    description: 'A process of a service is up.',
    owner: platform,
    schema: z.looseObject({
      service: text('Name of the service'),
      instanceId: id('Process of the service'),
      release: text('Release that it runs').optional(),
      startedAt: timestamp('When it came up').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_SERVICE_STOPPED,
    description: 'A process of a service went down in order.',
    owner: platform,
    schema: z.looseObject({
      service: text('Name of the service'),
      instanceId: id('Process of the service'),
      reason: prose('Why it went down, such as a deployment'),
      stoppedAt: timestamp('When it went down').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_HEALTH_CHANGED,
    description: 'The health of a service changed.',
    owner: platform,
    schema: z.looseObject({
      service: text('Name of the service'),
      previousStatus: text('Status before, in the words of the monitor'),
      status: text('Status now, in the words of the monitor'),
      instanceId: id('Process of the service').optional(),
      reasons: texts('What is wrong').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_CONFIGURATION_CHANGED,
    description:
      'A setting of the platform was changed; its value is kept out because it may be secret.',
    owner: platform,
    schema: z.looseObject({
      key: text('Name of the setting'),
      changedBy: id('Person who changed it'),
      service: text('Name of the service that it is for').optional(),
      reason: prose('Why it was changed').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_JOB_COMPLETED,
    description: 'A scheduled job ended well.',
    owner: platform,
    schema: z.looseObject({
      jobName: text('Name of the job'),
      runId: id('This run of the job'),
      durationMs: measure('Time that it took, in milliseconds'),
      service: text('Name of the service that ran it').optional(),
      summary: prose('What it did').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_JOB_FAILED,
    description: 'A scheduled job broke off.',
    owner: platform,
    schema: z.looseObject({
      jobName: text('Name of the job'),
      runId: id('This run of the job'),
      error: prose('What went wrong'),
      durationMs: measure('Time until it broke off, in milliseconds').optional(),
      service: text('Name of the service that ran it').optional(),
      nextRunAt: timestamp('When it is tried again').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_MAINTENANCE_STARTED,
    description: 'Planned maintenance began.',
    owner: platform,
    schema: z.looseObject({
      maintenanceId: id('Maintenance that began'),
      reason: prose('What is being done'),
      services: texts('Names of the services that are affected'),
      expectedEnd: timestamp('When it should be over').optional(),
    }),
  }),
  defineEvent({
    type: SystemEvents.SYSTEM_MAINTENANCE_ENDED,
    description: 'Planned maintenance is over.',
    owner: platform,
    schema: z.looseObject({
      maintenanceId: id('Maintenance that is over'),
      services: texts('Names of the services that were affected'),
      outcome: text('How it went, in words').optional(),
      endedAt: timestamp('When it was over').optional(),
    }),
  }),
] as const;
