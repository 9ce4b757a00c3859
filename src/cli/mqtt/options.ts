import type { OptionSpec } from '../command.ts';

/** The three tools, each with the habits of the mosquitto program of that name. */
export type ToolName = 'pub' | 'sub' | 'rr';

/** An option of theirs, and which tools have it: `p`ub, `s`ub, `r`r. */
export interface ToolOption extends OptionSpec {
  readonly tools: string;
}

const option = (
  tools: string,
  forms: string,
  value: string | undefined,
  summary: string,
  name?: string,
): ToolOption => {
  const [first = '', second] = forms.split(' ');
  const short = first.startsWith('--') ? undefined : first.slice(1);
  const long = first.startsWith('--') ? first : second;
  return {
    tools,
    name: long?.slice(2) ?? name ?? '',
    summary,
    ...(short === undefined ? {} : { short }),
    ...(long === undefined ? { isShortOnly: true } : {}),
    ...(value === undefined ? {} : { value }),
  };
};

const connection: readonly ToolOption[] = [
  option('psr', '-h --host', 'HOST', 'Broker to connect to (default: localhost)'),
  option('psr', '-p --port', 'PORT', 'Port (default: 1883, with TLS 8883)'),
  option('psr', '-L --url', 'URL', 'mqtt(s)://[user[:password]@]host[:port]/topic, or ws(s)://…'),
  option('psr', '--unix', 'PATH', 'Connect to a Unix socket'),
  option('psr', '--ws', undefined, 'Connect over WebSocket'),
  option('psr', '-A', 'ADDRESS', 'Address of this machine to connect from', 'bind'),
  option('psr', '-S', undefined, 'Ask the name service for the broker of the host (SRV)', 'srv'),
  option('psr', '--proxy', 'URL', 'Go through a proxy: socks5h://[user[:password]@]host[:port]'),
  option('psr', '--nodelay', undefined, 'Send small packets at once; they always are'),
  option('psr', '--mptcp', undefined, 'Refused: there is no Multipath TCP here'),
  option('psr', '-V --protocol-version', 'VERSION', 'mqttv31, mqttv311 or mqttv5; 31, 311 or 5'),
  option('psr', '-k --keepalive', 'SECONDS', 'Longest silence, 5 to 65535 (default: 60)'),
  option('psr', '-i --id', 'ID', 'Client id (default: one of its own)'),
  option('psr', '-I --id-prefix', 'PREFIX', 'Client id: this and the process id'),
  option('psr', '-c --disable-clean-session', undefined, 'Keep the session on the broker; needs -i'),
  option('psr', '-x', 'SECONDS', 'How long the session lasts (MQTT 5); -1 or ∞: for ever', 'session-expiry'),
  option('psr', '-u --username', 'NAME', 'User name'),
  option(
    'psr',
    '-P --pw',
    'PASSWORD',
    'Password; others see it in the process list, an options file hides it',
  ),
  option('psr', '-D --property', 'COMMAND NAME VALUE', 'Property of MQTT 5; user-property takes two values'),
  option('psr', '--will-topic', 'TOPIC', 'Topic of the will'),
  option('psr', '--will-payload', 'TEXT', 'Payload of the will (default: none)'),
  option('psr', '--will-qos', 'QOS', 'QoS of the will (default: 0)'),
  option('psr', '--will-retain', undefined, 'The will is retained'),
  option('psr', '-o', 'FILE', 'Read options from this file instead of ~/.config/mosquitto_…', 'options-file'),
];

const tls: readonly ToolOption[] = [
  option('psr', '--cafile', 'FILE', 'TLS: trust these authorities'),
  option('psr', '--capath', 'DIR', 'TLS: trust the authorities in this folder'),
  option('psr', '--tls-use-os-certs', undefined, "TLS: trust the system's authorities"),
  option('psr', '--cert', 'FILE', 'TLS: certificate of this client'),
  option('psr', '--key', 'FILE', 'TLS: its private key'),
  option('psr', '--keyform', 'FORM', 'TLS: form of the key: pem; engine is refused'),
  option('psr', '--ciphers', 'LIST', "TLS: ciphers, in OpenSSL's form"),
  option('psr', '--tls-version', 'VERSION', 'TLS: tlsv1.2 or tlsv1.3 (default: both)'),
  option('psr', '--tls-alpn', 'PROTOCOL', 'TLS: protocol to ask for (ALPN)'),
  option('psr', '--tls-keylog', 'FILE', 'TLS: write the session keys to this file, for wireshark'),
  option('psr', '--insecure', undefined, "TLS: do not check that the certificate is the host's; for tests"),
  option('psr', '--no-tls', undefined, 'No TLS, whatever the port and the other options say'),
  option('psr', '--psk', 'HEX', 'TLS: a shared key instead of certificates'),
  option('psr', '--psk-identity', 'NAME', 'TLS: whose shared key it is'),
  option('psr', '--tls-engine', 'ENGINE', 'Refused: there are no OpenSSL engines here'),
  option('psr', '--tls-engine-kpass-sha1', 'HEX', 'Refused: there are no OpenSSL engines here'),
];

const messages: readonly ToolOption[] = [
  option('ps', '-t --topic', 'TOPIC', 'Topic; sub: filter, as often as wanted'),
  option('r', '-t --topic', 'TOPIC', 'Topic of the request'),
  option('r', '-e', 'TOPIC', 'Topic of the response', 'response-topic'),
  option('psr', '-q --qos', 'QOS', 'QoS 0, 1 or 2 (default: 0)'),
  option('pr', '-m --message', 'TEXT', 'Send this text'),
  option('pr', '-f --file', 'FILE', 'Send what is in this file'),
  option('p', '-l --stdin-line', undefined, 'Send each line of standard input'),
  option('pr', '-s --stdin-file', undefined, 'Send all of standard input as one message'),
  option('pr', '-n --null-message', undefined, 'Send an empty message'),
  option('p', '-r --retain', undefined, 'The message is retained'),
  option('p', '--repeat', 'N', 'Send it N times'),
  option('p', '--repeat-delay', 'SECONDS', 'Wait between two of them (default: 0)'),
  option('psr', '-M', 'N', 'Unacknowledged messages at QoS 1 and 2 (default: 20)', 'max-inflight'),
  option('s', '-T --filter-out', 'FILTER', 'Leave these topics out; as often as wanted'),
  option('s', '-U --unsubscribe', 'FILTER', 'Unsubscribe; as often as wanted'),
  option('s', '-C', 'N', 'Stop after N messages', 'count'),
  option('s', '-E', undefined, 'Stop once subscribed', 'exit-subscribed'),
  option('sr', '-W', 'SECONDS', 'Stop after this time, with exit code 27', 'timeout'),
  option('sr', '-R', undefined, 'Leave retained messages out', 'no-retained'),
  option('s', '--retained-only', undefined, 'Take retained messages only, stop at the first other one'),
  option('s', '--remove-retained', undefined, 'Delete each retained message that comes'),
  option('sr', '--retain-as-published', undefined, 'Keep the retain flag of the publisher (MQTT 5)'),
  option('sr', '--retain-handling', 'WHEN', 'Retained messages: always, new or never (MQTT 5)'),
];

const output: readonly ToolOption[] = [
  option('sr', '-v --verbose', undefined, 'Print the topic before the payload'),
  option('sr', '-F', 'FORMAT', 'Print in this format: %t %p %j %J %x %X %I %U … @Y @m … \\n \\t …', 'format'),
  option('sr', '-N', undefined, 'No end of line after a message', 'no-newline'),
  option('sr', '--pretty', undefined, 'JSON (%j, %J) over several lines'),
  option('s', '--random-filter', 'PERCENT', 'Print this share of the messages, 0.1 to 100'),
  option('s', '-w --watch', undefined, 'A line of the terminal for each topic'),
  option('s', '--message-rate', undefined, 'Refused: count with -F and another program'),
  option('r', '--latency', undefined, 'Print how long the response took'),
  option('psr', '-d --debug', undefined, 'Print every packet'),
  option('psr', '--quiet', undefined, 'Print no error of the connection'),
  option('psr', '--version', undefined, 'Print the version'),
];

/** What a tool takes, in the order of its help. */
export function toolOptions(tool: ToolName): readonly ToolOption[] {
  const letter = tool.charAt(0);
  return [...messages, ...output, ...connection, ...tls].filter(({ tools }) => tools.includes(letter));
}
