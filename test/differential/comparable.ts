import type { Account } from './play-scenario.ts';

/**
 * Leaves out where the brokers may differ, or differ as the page of differences says: which free packet id a message
 * gets (PUBREL is told by its message instead); how messages, releases and answers to the client's own packets are
 * mingled, because Mosquitto sends a message at QoS 2 on at PUBREL; 0x10 in PUBREC.
 */
export function comparable(account: Account): Account {
  const compared = new Map<string, string[]>();
  for (const [client, lines] of account) {
    const messages: string[] = [];
    const releases: string[] = [];
    const answers: string[] = [];
    const messageOf = new Map<string, string>();
    for (const line of lines) {
      const id = /#\d+/.exec(line)?.[0] ?? '';
      const text = line.replace(/ ?#\d+/, '');
      if (line.startsWith('PUBLISH')) {
        messageOf.set(id, text.replace(/ dup/, ''));
        messages.push(text);
      } else if (line.startsWith('PUBREL')) releases.push(`${text} of ${messageOf.get(id) ?? 'nothing'}`);
      else answers.push(line.replace(/^(PUBREC \d+) 0x10 .*/, '$1'));
    }
    compared.set(`${client} messages`, messages);
    compared.set(`${client} releases`, releases);
    compared.set(`${client} answers`, answers);
  }
  return compared;
}
