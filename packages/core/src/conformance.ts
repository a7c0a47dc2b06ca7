export { describeTransport } from './conformance/describe-transport.ts';
export type { TestApi, TestFunction } from './conformance/test-api.ts';
export type {
  TransportConformanceOptions,
  TransportSubject,
} from './conformance/transport/transport-bench.ts';
