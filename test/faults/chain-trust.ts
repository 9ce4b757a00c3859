import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { FakeClock } from '#base';
import { createAuthority, issueCertificate, writePrivate, writePublic } from '#security';
import type { DemoPlan } from '../../src/app/demo/plan.ts';

const dayMs = 86_400_000;

/**
 * Certificates for a chain, where `prepareDemo` finds them and leaves them alone: good for `hosts` as well, and from a
 * week ago on, so that a clock may be set back.
 */
export async function issueChainTrust(plan: DemoPlan, hosts: readonly string[]): Promise<void> {
  const clock = new FakeClock(Date.now() - 7 * dayMs);
  const authority = await createAuthority({ commonName: 'Davylamp test authority', days: 3650, clock });
  const write = async (folder: string, name: string, keyPem: string, pem: string): Promise<void> => {
    const home = path.join(plan.folder, folder);
    await mkdir(home, { recursive: true, mode: 0o700 });
    await writePrivate(path.join(home, `${name}.key`), keyPem);
    await writePublic(path.join(home, `${name}.pem`), pem);
    await writePublic(path.join(home, 'ca.pem'), authority.certificatePem);
  };
  await write('authority', 'ca', authority.keyPem, authority.certificatePem);
  for (const name of ['cloud', 'relay', 'visitor', ...plan.sites.map((site) => site.name)]) {
    const issued = await issueCertificate({
      authority,
      commonName: name,
      hosts: ['localhost', '127.0.0.1', ...hosts],
      usage: 'both',
      days: 825,
      clock,
    });
    await write(name, name, issued.keyPem, issued.certificatePem);
  }
}
