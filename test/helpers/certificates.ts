import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate authority of the test's own, and a certificate for some hosts that it has signed. */
export interface TestCertificates {
  dir: string;
  /** Paths of PEM files. */
  ca: string;
  key: string;
  certificate: string;
  /** For TLS servers of this process. */
  options: { key: Buffer; cert: Buffer };
  remove(): void;
}

/** Node makes no certificates. */
export function opensslMissing(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no openssl: install it (apt-get install openssl)';
  }
}

export function createCertificates(hosts: readonly string[]): TestCertificates {
  const dir = mkdtempSync(join(tmpdir(), 'fbc-tls-'));
  const openssl = (command: string) => execFileSync('openssl', command.split(' '), { cwd: dir, stdio: 'ignore' });
  writeFileSync(join(dir, 'names'), `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}\n`);
  openssl(
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj /CN=Provider-CA',
  );
  openssl(
    `req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.csr -subj /CN=${hosts[0]}`,
  );
  openssl('x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem');
  const [ca, key, certificate] = ['ca.pem', 'server.key', 'server.pem'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  return {
    dir,
    ca,
    key,
    certificate,
    options: { key: readFileSync(key), cert: readFileSync(certificate) },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
