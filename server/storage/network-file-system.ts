import { statfs } from 'node:fs/promises';

/**
 * By the number that Linux has for a file system. SQLite's locks and its shared memory are for processes of one
 * machine; over a network two servers can each believe that they hold the lock. FUSE is left out: local file systems
 * have its number as well.
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x01021997, '9P'],
]);

/** @param type as `statfs` returns it, on some machines as a negative number of 32 bits */
export function networkFileSystem(type: number): string | undefined {
  return NETWORK_FILE_SYSTEMS.get(type >>> 0);
}

/** @returns the name of the network file system that the folder is on; undefined: a local one, or it can't be known */
export async function networkFileSystemOf(folder: string): Promise<string | undefined> {
  // Other systems number theirs in another way.
  if (process.platform !== 'linux') return undefined;
  const { type } = await statfs(folder).catch(() => ({ type: 0 }));
  return networkFileSystem(type);
}
