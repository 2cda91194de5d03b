/** Where pids mean something: only processes of the same machine and pid namespace can be asked for. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const attempt = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/** Names the place in which this process's pid means something: host, boot and (Linux) pid namespace. */
export function placeOfPids(): string {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return [hostname(), boot, namespace].join('/');
}
