/** kafkajs' log lines through ours, without the ones that only say that a retry is on its way. */
import type { logCreator } from 'kafkajs';
import type { Log } from '../../base/log.ts';

/** What the caller gets as an error anyway, and kafkajs reports at ERROR besides, once per attempt. */
const EVERYDAY = /^Response |^Connection (error|timeout)|^Failed to connect|CONCURRENT_TRANSACTIONS/;

const ERROR_LEVEL = 1;

/** @returns what kafkajs wants as `logCreator`. Errors that matter reach callers as errors; these lines only help to understand them. */
export function kafkaLogCreator(log: Log): logCreator {
  return () =>
    ({ namespace, level, log: line }) => {
      const { message, timestamp: _time, logger: _logger, stack: _stack, ...fields } = line;
      const facts = { ...fields, client: namespace, said: message };
      if (EVERYDAY.test(`${message} ${String(line['error'] ?? '')}`)) log.debug(facts, 'Kafka client.');
      else if (level === ERROR_LEVEL) log.warn(facts, 'Kafka client reports an error.');
      else log.debug(facts, 'Kafka client.');
    };
}
