import { randomUUID } from 'node:crypto';

/** What all contenders carry: an item that was graded. As JSON 841 bytes, 401 of them data. */
export const eventType = 'item.graded';

/** Publisher of the event. */
export const source = 'quickgradez';

const warehouseId = 'PHX-01';
const userId = 'user:warehouse-phx-grading-17';
const correlationId = '0b0f6f0e-94a4-4d5c-8f0b-6f3d3f1f7a52';
const causationId = 'c3b6cf0a-37f5-4bb0-a1cc-90a3c4a4d0f7';
/** So many items that those under way at one time have no key in common. */
const itemIds = Array.from({ length: 10_000 }, () => randomUUID());
const taskPrefix = 'grading-';

/** Fits the schema of the catalogue. */
export type GradedItem = {
  readonly itemId: string;
  readonly qlid: string;
  readonly grade: 'B';
  readonly condition: string;
  readonly requiresRefurbishment: boolean;
  readonly issues: string[];
  readonly notes: string;
  readonly estimatedValue: number;
  readonly currency: string;
  readonly sku: string;
  readonly taskId: string;
  readonly gradedBy: string;
  readonly gradedAt: string;
};

function dataOf(index: number): GradedItem {
  return {
    itemId: itemIds[index % itemIds.length]!,
    qlid: '123456789',
    grade: 'B',
    condition: 'lightly used',
    requiresRefurbishment: true,
    issues: ['scratched lid', 'box damaged'],
    notes: 'All accessories present, light scratches on the lid and feet',
    estimatedValue: 129.99,
    currency: 'USD',
    sku: 'KTC-4410-BLK',
    taskId: taskPrefix + String(index).padStart(8, '0'),
    gradedBy: 'grader-0417',
    gradedAt: '2026-03-01T11:59:58.250Z',
  };
}

/** Which of the events of a run this is, from 0 on. */
export function indexOf({ taskId }: Pick<GradedItem, 'taskId'>): number {
  return Number(taskId.slice(taskPrefix.length));
}

/** What a service says to `EventPublisher`, which adds the rest. */
export function draftOf(index: number) {
  const data = dataOf(index);
  const { itemId: subject, qlid } = data;
  return {
    type: eventType,
    subject,
    correlationId,
    causationId,
    userId,
    qlid,
    warehouseId,
    data,
  } as const;
}

/** The same event as whoever has no library writes it. */
export function envelopeOf(index: number) {
  const data = dataOf(index);
  return {
    specversion: '1.0',
    id: randomUUID(),
    source,
    type: eventType,
    datacontenttype: 'application/json',
    time: new Date().toISOString(),
    version: 1,
    subject: data.itemId,
    correlationid: correlationId,
    causationid: causationId,
    userid: userId,
    qlid: data.qlid,
    warehouseid: warehouseId,
    data,
  };
}
