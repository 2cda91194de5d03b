/** The repair of kafkajs' request queue (K13): no timer without anything to wait for. */
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inner, KAFKAJS_VERSION } from '../../../../src/bus/kafka/internals.ts';
import { patchRequestQueue, type RequestQueueClass } from '../../../../src/bus/kafka/patches.ts';

const require = createRequire(import.meta.url);

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
  push(request: object): void;
  fulfillRequest(answer: object): void;
  destroy(): void;
}
type QueueClass = RequestQueueClass & (new (options: object) => Queue);

/** A copy of the class that nobody has patched. */
function freshClass(): QueueClass {
  const path = require.resolve('kafkajs/src/network/requestQueue');
  const kept = require.cache[path];
  delete require.cache[path];
  const copy = require(path) as QueueClass;
  if (kept) require.cache[path] = kept;
  return copy;
}

const make = (queueClass: QueueClass, maxInFlightRequests: number | null = null): Queue =>
  new queueClass({
    maxInFlightRequests,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'c',
    broker: 'b',
    logger: { debug: () => {}, warn: () => {} },
  });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('patchRequestQueue', () => {
  it('stops the idle timer that kafkajs re-arms for ever', () => {
    const unpatched = make(freshClass());
    unpatched.scheduleCheckPendingRequests();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(50);
    expect(vi.getTimerCount()).toBe(1);
    unpatched.destroy();

    const repaired = freshClass();
    patchRequestQueue(repaired);
    const queue = make(repaired);
    queue.scheduleCheckPendingRequests();
    queue.checkPendingRequests();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('still sends what waits, when the throttle ends or a place becomes free', () => {
    const repaired = freshClass();
    patchRequestQueue(repaired);
    const sent: number[] = [];
    const request = (correlationId: number): object => ({
      entry: { correlationId, resolve: () => {}, reject: () => {} },
      expectResponse: true,
      sendRequest: () => sent.push(correlationId),
    });
    const throttled = make(repaired);
    throttled.throttledUntil = Date.now() + 500;
    throttled.push(request(1));
    vi.advanceTimersByTime(400);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(sent).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);

    const narrow = make(repaired, 1);
    narrow.push(request(2));
    narrow.push(request(3));
    expect(sent).toEqual([1, 2]);
    narrow.fulfillRequest({ correlationId: 2, payload: null, size: 0 });
    expect(sent).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is in force in the kafkajs that the bus uses, in the version that was tested', () => {
    inner();
    const queueClass = require('kafkajs/src/network/requestQueue') as QueueClass;
    expect(queueClass.prototype.scheduleCheckPendingRequests.name).toBe('scheduleWhenPending');
    expect((require('kafkajs/package.json') as { version: string }).version).toBe(KAFKAJS_VERSION);
  });
});
