import { chmod, mkdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DavylampError, messageOf } from '#base';
import {
  createAuthority,
  generatePassword,
  hashPassword,
  issueCertificate,
  writePrivate,
  writePublic,
} from '#security';
import {
  agentJson,
  cloudAccess,
  cloudToml,
  detectorsJson,
  relayAccess,
  relayToml,
  siteAccess,
  siteToml,
} from './configs.ts';
import type { DemoPlan } from './plan.ts';

const certificateDays = 825;
const authorityDays = 3650;

/**
 * Makes what the demo's roles need and is not there yet: certificates, passwords, access lists, configuration files.
 * What exists stays as it is, so that a second start goes on with the first one's data and a person may change the
 * files; only when a port changes are the files that name it written anew (`portsChanged`).
 * Errors: FILE_UNWRITABLE, FILE_UNREADABLE.
 */
export async function prepareDemo(plan: DemoPlan, portsChanged: boolean): Promise<void> {
  try {
    await makeFolder(plan.folder);
    await makeFolder(path.dirname(plan.controlSocket));
    await makeFolder(path.dirname(plan.brokerSocket));
    await makeTrust(plan);
    await makePasswords(plan);
    await makeConfigs(plan, portsChanged);
  } catch (error) {
    if (error instanceof DavylampError) throw error;
    throw new DavylampError(
      'FILE_UNWRITABLE',
      `demo folder ${plan.folder} cannot be prepared: ${messageOf(error)}; choose another folder with --data`,
      { cause: error },
    );
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
}

/** One authority for the demo; a certificate for each broker, and one for people and scripts that look on. */
async function makeTrust(plan: DemoPlan): Promise<void> {
  const folder = path.join(plan.folder, 'authority');
  await makeFolder(folder);
  const caFile = path.join(folder, 'ca.pem');
  const caKeyFile = path.join(folder, 'ca.key');
  if (!existsSync(caFile) || !existsSync(caKeyFile)) {
    const made = await createAuthority({ commonName: 'Davylamp demo authority', days: authorityDays });
    await writePrivate(caKeyFile, made.keyPem);
    await writePublic(caFile, made.certificatePem);
  }
  const authority = {
    certificatePem: await readFile(caFile, 'utf8'),
    keyPem: await readFile(caKeyFile, 'utf8'),
  };
  const holders = [
    { folder: 'cloud', name: 'cloud', usage: 'both' as const },
    { folder: 'relay', name: 'relay', usage: 'both' as const },
    ...plan.sites.map((site) => ({ folder: site.name, name: site.name, usage: 'client' as const })),
    { folder: 'visitor', name: 'visitor', usage: 'client' as const },
  ];
  for (const holder of holders) {
    const home = path.join(plan.folder, holder.folder);
    await makeFolder(home);
    const file = path.join(home, `${holder.name}.pem`);
    const keyFile = path.join(home, `${holder.name}.key`);
    if (existsSync(file) && existsSync(keyFile)) continue;
    const issued = await issueCertificate({
      authority,
      commonName: holder.name,
      hosts: holder.usage === 'both' ? ['localhost', '127.0.0.1', '::1'] : [],
      usage: holder.usage,
      days: certificateDays,
    });
    await writePrivate(keyFile, issued.keyPem);
    await writePublic(file, issued.certificatePem);
    await writePublic(path.join(home, 'ca.pem'), authority.certificatePem);
  }
}

/** Random passwords: in clear for the side that sends them, hashed for the side that checks them. */
async function makePasswords(plan: DemoPlan): Promise<void> {
  await makeAccounts(path.join(plan.folder, 'cloud', 'passwords'), [
    { user: 'relay', file: path.join(plan.folder, 'relay', 'cloud.password') },
    { user: 'visitor', file: path.join(plan.folder, 'visitor', 'cloud.password') },
  ]);
  for (const site of plan.sites) {
    const home = path.join(plan.folder, site.name);
    await makeAccounts(path.join(home, 'passwords'), [
      { user: 'detector', file: path.join(home, 'detector.password') },
      { user: 'host', file: path.join(home, 'host.password') },
    ]);
  }
}

async function makeAccounts(
  passwordFile: string,
  accounts: readonly { user: string; file: string }[],
): Promise<void> {
  if (existsSync(passwordFile) && accounts.every((account) => existsSync(account.file))) return;
  const lines: string[] = [];
  for (const account of accounts) {
    const password = generatePassword();
    await writePrivate(account.file, `${password}\n`);
    lines.push(`${account.user}:${await hashPassword(password)}`);
  }
  await writePrivate(passwordFile, `${lines.join('\n')}\n`);
}

async function makeConfigs(plan: DemoPlan, portsChanged: boolean): Promise<void> {
  const write = async (file: string, text: string, namesPort: boolean): Promise<void> => {
    const target = path.join(plan.folder, file);
    if (!existsSync(target) || (namesPort && portsChanged)) await writePrivate(target, text);
  };
  await write('cloud/cloud.toml', cloudToml(plan), true);
  await write('cloud/access', cloudAccess(plan), false);
  await write('relay/relay.toml', relayToml(plan), true);
  await write('relay/access', relayAccess(plan), false);
  for (const [index, site] of plan.sites.entries()) {
    const port = plan.ports.sites[index] ?? 0;
    await write(`${site.name}/site.toml`, siteToml(plan, site, port), true);
    await write(`${site.name}/access`, siteAccess(plan, site), false);
    await write(`${site.name}/detectors.json`, detectorsJson(site, port), true);
    await write(`${site.name}/agent.json`, agentJson(plan, site, port), true);
  }
}
