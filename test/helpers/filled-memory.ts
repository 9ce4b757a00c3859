import { BrokerHarness } from './broker-harness.ts';

/** The bound of the memory in these tests. */
export const memoryBound = 1000 * 1024;

/** A broker whose memory is as full as the test says: `fill` sets the bytes of its heap and lets it look. */
export function brokerToFill(): { harness: BrokerHarness; fill: (bytes: number) => void } {
  let heapBytes = 0;
  const memory = {
    read: () => ({ heapBytes, externalBytes: 0, heapLimitBytes: 10 * memoryBound }),
    collect: () => {},
  };
  const harness = new BrokerHarness({ memory, limits: { maximumMemory: memoryBound, maximumByteRate: 0 } });
  const fill = (bytes: number): void => {
    heapBytes = bytes;
    harness.advance(1000);
  };
  return { harness, fill };
}
