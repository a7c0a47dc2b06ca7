// Loaded into a worker whose clock is to be wrong: shifts `Date` by WAYBILL_CLOCK_SHIFT_MS.

const shiftMs = Number(process.env.WAYBILL_CLOCK_SHIFT_MS ?? 0);
const TrueDate = Date;

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [shiftedNow()] : args, newTarget) as Date,
  apply: () => new TrueDate(shiftedNow()).toString(),
  get: (target, property) => (property === 'now' ? shiftedNow : Reflect.get(target, property)),
});

function shiftedNow(): number {
  return TrueDate.now() + shiftMs;
}
