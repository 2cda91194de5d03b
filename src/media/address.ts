/** Which network addresses pictures may come from: public unicast, nothing else. */
import ipaddr from 'ipaddr.js';

/** Decides on an address in text form, as it is about to be connected to. */
export type AddressRule = (address: string) => boolean;

/** Public by their range, but answered inside a cloud by the machine's own host. */
const METADATA = new Set(['168.63.129.16']);

/** 2000::/3, the only global unicast space that is handed out. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether the address belongs to the public internet. Refuses private, loopback, link-local (with the metadata
 * service 169.254.169.254), shared, multicast, reserved and documentation ranges, IPv6 forms that
 * carry an IPv4 address (mapped, compatible, 6to4, NAT64, Teredo), and everything that is no address at all.
 */
export const isPublicAddress: AddressRule = (address) => {
  // A zone (fe80::1%eth0) only ever names a local link.
  if (address.includes('%') || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed.kind() === 'ipv4') return !METADATA.has(parsed.toString());
  return parsed.match(GLOBAL_V6);
};

/** For tests and closed laboratories (setting fetchPrivate). */
export const anyAddress: AddressRule = () => true;
