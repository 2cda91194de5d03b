/** What every bus asks of a record on its way out. */
import { TocsinError } from '../base/errors.ts';
import { MAX_VALUE_BYTES } from './codec.ts';
import type { OutgoingRecord } from './port.ts';

/** Throws BAD_RECORD for a record that no bus may take. */
export function checkOutgoing(record: OutgoingRecord): void {
  if (record.key === '') throw new TocsinError('BAD_RECORD', `a record for ${record.topic} has no key`);
  if (record.value.length > MAX_VALUE_BYTES)
    throw new TocsinError(
      'BAD_RECORD',
      `${record.key} for ${record.topic}: ${record.value.length} bytes are too many`,
    );
}
