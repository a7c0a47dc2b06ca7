import type { EventDefinition } from '@waybill/core';
import { expectTypeOf } from 'vitest';
import type { EventDataMap, EventType, ProcessingEvents } from './index.ts';
import { AllEvents, InboundEvents, getEventDomain, quickwmsCatalogue } from './index.ts';

expectTypeOf(InboundEvents.ITEM_RECEIVED).toEqualTypeOf<'item.received'>();
expectTypeOf(AllEvents.ITEM_GRADED).toEqualTypeOf<typeof ProcessingEvents.ITEM_GRADED>();
expectTypeOf(getEventDomain('item.graded')).toEqualTypeOf<string>();

// The union is closed: a type that is nowhere listed, and plain text, are refused.
expectTypeOf<'item.graded'>().toExtend<EventType>();
expectTypeOf<'item.grade'>().not.toExtend<EventType>();
expectTypeOf<string>().not.toExtend<EventType>();
expectTypeOf<keyof EventDataMap>().toEqualTypeOf<EventType>();
expectTypeOf<(typeof quickwmsCatalogue)[number]['type']>().toEqualTypeOf<EventType>();
expectTypeOf(quickwmsCatalogue).toExtend<readonly EventDefinition[]>();

// Named fields keep their own type although unknown keys are allowed beside them.
type Graded = EventDataMap['item.graded'];
expectTypeOf<Graded['grade']>().toEqualTypeOf<'A' | 'B' | 'C' | 'D' | 'F'>();
expectTypeOf<Graded['qlid']>().toEqualTypeOf<string>();
expectTypeOf<Graded['requiresRefurbishment']>().toEqualTypeOf<boolean | undefined>();
expectTypeOf<Graded['somethingElse']>().toEqualTypeOf<unknown>();
expectTypeOf<EventDataMap['item.listed']['channels']>().toEqualTypeOf<string[]>();
expectTypeOf<EventDataMap['bid.placed']['amount']>().toEqualTypeOf<number>();
expectTypeOf<EventDataMap['order.delivered']['deliveredAt']>().toEqualTypeOf<string>();
expectTypeOf<EventDataMap['system.job_failed']['error']>().toEqualTypeOf<string>();

type Grading = Pick<Graded, 'itemId' | 'qlid' | 'grade' | 'condition'>;
const grading: Grading = { itemId: 'item-1', qlid: '123456789', grade: 'A', condition: 'used' };
expectTypeOf(grading).toExtend<Graded>();
expectTypeOf<Omit<Grading, 'condition'>>().not.toExtend<Graded>();
expectTypeOf<Omit<Grading, 'grade'> & { grade: 'E' }>().not.toExtend<Graded>();
