import type { NetworkInterfaceInfo } from 'node:os';
import { DemoSettingsError } from '../settings.ts';

type Interfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/**
 * Interfaces that lead to containers and virtual machines on this machine, or to a private tunnel: no phone is there.
 */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|vEthernet|utun|tun|tap|tailscale|wg|zt)/i;
/** RFC 1918: what a meeting room's network gives its devices. */
const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/;

/**
 * The address of this machine for others in the same network: of a room's own range before any other, and of none that
 * is virtual.
 * @throws DemoSettingsError when there is none
 */
export function networkAddress(interfaces: Interfaces): string {
  const found = addressesOf(interfaces, (name) => !VIRTUAL.test(name));
  const address = found.find((one) => PRIVATE.test(one)) ?? found[0];
  if (address) return address;
  throw new DemoSettingsError(
    'This machine is in no network that a phone could share. Connect it, or leave out --lan.',
  );
}

/** @throws DemoSettingsError when it is no address of this machine, with those that there are */
export function requireOwnAddress(given: string, interfaces: Interfaces): string {
  const own = addressesOf(interfaces, () => true);
  if (own.includes(given)) return given;
  throw new DemoSettingsError(
    `${given} is not an IPv4 address of this machine. ${own.length > 0 ? `It has ${own.join(', ')}.` : 'It has none.'}`,
  );
}

function addressesOf(interfaces: Interfaces, isWanted: (name: string) => boolean): string[] {
  return Object.entries(interfaces).flatMap(([name, all = []]) =>
    isWanted(name)
      ? all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address)
      : [],
  );
}
