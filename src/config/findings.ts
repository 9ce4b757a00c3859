import type { Fault } from './read-section.ts';
import type { Section } from './section.ts';

/** What does not fit together although each value is right, and what can be used but should be looked at. */
export interface Findings {
  readonly faults: Fault[];
  readonly warnings: Fault[];
}

/** Where findings about one table go. */
export interface Desk {
  readonly section: Section;
  readonly findings: Findings;
}

/** Notes what makes the file unusable, at a key of the table; an empty key is the table itself. */
export function fault({ section, findings }: Desk, key: string, message: string): void {
  findings.faults.push(at(section, key, message));
}

/** Notes what can be used and should be looked at. */
export function warn({ section, findings }: Desk, key: string, message: string): void {
  findings.warnings.push(at(section, key, message));
}

function at(section: Section, key: string, message: string): Fault {
  const subject = section.title === '' ? '' : `${section.title}: `;
  return { place: key === '' ? section.place : [...section.place, key], message: `${subject}${message}` };
}

/** Faults each of these keys that stands in the file. */
export function faultIfGiven(desk: Desk, keys: readonly string[], why: (key: string) => string): void {
  for (const key of keys) if (desk.section.has(key)) fault(desk, key, why(key));
}

/** Only this machine reaches it. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}
