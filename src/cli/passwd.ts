import { DavylampError, messageOf } from '#base';
import { usage, type CommandContext, type CommandSpec, type OptionSpec } from './command.ts';
import { PasswdText } from './passwd-file.ts';

/** What `davylamp passwd` needs of the machine: defined here, implemented in `app`. */
export interface PasswdPort {
  /** The text of a file; `null` where there is none. Rejects with FILE_UNREADABLE. */
  readText(file: string): Promise<string | null>;
  /** Whole or not at all; readable by nobody else, and by the owner that it had. Rejects with FILE_UNWRITABLE. */
  writeText(file: string, text: string): Promise<void>;
  /** Asks for a line without showing it; `null`: there is no more input. */
  askSecret(prompt: string): Promise<string | null>;
  readonly hashKinds: readonly string[];
  /** Hashes for a password file. */
  hash(kind: string, password: string, iterations: number | undefined): Promise<string>;
  /** Hashes for a SCRAM file. Rejects with USAGE for a password or iterations that it cannot have. */
  hashScram(password: string, iterations: number | undefined): Promise<string>;
  isHashed(text: string): boolean;
}

/** One call, read. */
interface PasswdCall {
  readonly mode: 'set' | 'create' | 'delete' | 'upgrade';
  readonly hash: string;
  readonly iterations: number | undefined;
  readonly isScram: boolean;
  readonly file: string;
  readonly name: string;
  /** `-b`: on the command line. */
  readonly password: string | undefined;
}

const name = 'passwd';
const defaultHash = 'sha512-pbkdf2';
const maximumLength = 65_535;

const options: readonly OptionSpec[] = [
  { name: 'b', short: 'b', isShortOnly: true, summary: 'Take the password from the command line' },
  { name: 'c', short: 'c', isShortOnly: true, summary: 'Create the file; - as FILE prints the line instead' },
  { name: 'D', short: 'D', isShortOnly: true, summary: 'Delete the user' },
  {
    name: 'H',
    short: 'H',
    isShortOnly: true,
    value: 'HASH',
    summary: 'sha512-pbkdf2 (default), argon2id or sha512',
  },
  {
    name: 'I',
    short: 'I',
    isShortOnly: true,
    value: 'N',
    summary: 'Iterations of sha512-pbkdf2 and of SCRAM (default: 10000)',
  },
  { name: 'U', short: 'U', isShortOnly: true, summary: 'Hash the plain passwords of the whole file' },
  { name: 'scram', summary: 'Write a SCRAM-SHA-256 file (scram_file) instead of a password file' },
];

/** `davylamp passwd`: keeps password files, with the options of mosquitto_passwd, and SCRAM files. */
export function passwdCommand(openPort: () => Promise<PasswdPort>): CommandSpec {
  return {
    name,
    summary: 'Keep password files and SCRAM files, with the options of mosquitto_passwd',
    positionals: 'FILE [NAME [PASSWORD]]',
    options,
    readsOwnWords: true,
    notes: ['The password is asked for twice. Exit codes: 0 done, 1 anything else.'],
    async run(args, context) {
      try {
        const port = await openPort();
        return await runPasswd(readCall(args.positionals, port.hashKinds), port, context);
      } catch (error) {
        if (!(error instanceof DavylampError)) throw error;
        context.printError(error.message);
        return 1;
      }
    },
  };
}

async function runPasswd(call: PasswdCall, port: PasswdPort, context: CommandContext): Promise<number> {
  if (call.password !== undefined)
    context.printError('Warning: others can see a password that stands on the command line (-b)');
  if (call.mode === 'create') return create(call, port, context);
  const text = await port.readText(call.file);
  if (text === null)
    throw new DavylampError('FILE_UNREADABLE', `there is no password file ${call.file}; add -c to create it`);
  const file = parse(text, call.file);
  if (call.mode === 'delete') {
    if (!file.remove(call.name)) {
      context.printError(`Warning: User ${call.name} not found in password file.`);
      return 1;
    }
  } else if (call.mode === 'upgrade') {
    await upgrade(file, call, port, context);
  } else {
    const secret = await hashOf(call, await passwordOf(call, port), port);
    context.print(`${file.has(call.name) ? 'Updating' : 'Adding'} password for user ${call.name}`);
    file.set(call.name, secret);
  }
  await port.writeText(call.file, file.toString());
  return 0;
}

async function create(call: PasswdCall, port: PasswdPort, context: CommandContext): Promise<number> {
  const isPrinted = call.file === '-';
  if (!isPrinted && (await port.readText(call.file)) !== null) {
    const message = `${call.file} exists already; leave -c out to add the user, or remove the file first`;
    throw new DavylampError('FILE_UNWRITABLE', message);
  }
  const secret = await hashOf(call, await passwordOf(call, port), port);
  if (isPrinted) {
    context.print(`${call.name}:${secret}`);
    return 0;
  }
  context.print(`Adding password for user ${call.name}`);
  await port.writeText(call.file, `${call.name}:${secret}\n`);
  return 0;
}

/** What is hashed already stays: hashing it again would lock its user out. */
async function upgrade(
  file: PasswdText,
  call: PasswdCall,
  port: PasswdPort,
  context: CommandContext,
): Promise<void> {
  for (const { name: user, secret } of file.users) {
    if (port.isHashed(secret))
      context.printError(`Warning: the password of ${user} is hashed already; left as it is`);
    else file.set(user, await hashOf(call, secret, port));
  }
}

function hashOf(call: PasswdCall, password: string, port: PasswdPort): Promise<string> {
  return call.isScram
    ? port.hashScram(password, call.iterations)
    : port.hash(call.hash, password, call.iterations);
}

async function passwordOf(call: PasswdCall, port: PasswdPort): Promise<string> {
  if (call.password !== undefined) return call.password;
  const first = await port.askSecret('Password: ');
  if (first === null || first === '') throw usage(name, 'the password is empty; type one');
  const second = await port.askSecret('Reenter password: ');
  if (first !== second) throw usage(name, 'the two passwords are not the same; nothing was changed');
  if (Buffer.byteLength(first) > maximumLength)
    throw usage(name, `the password is longer than ${maximumLength} bytes`);
  return first;
}

function parse(text: string, file: string): PasswdText {
  try {
    return new PasswdText(text);
  } catch (error) {
    throw new DavylampError('CREDENTIALS_INVALID', `${file}: ${messageOf(error)}; nothing was changed`);
  }
}

/** Reads options up to the first word that is none, then file, name and password. Throws USAGE. */
function readCall(words: readonly string[], hashKinds: readonly string[]): PasswdCall {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at]!;
    const option = options.find(
      (one) => word === (one.isShortOnly === true ? `-${one.short}` : `--${one.name}`),
    );
    if (option === undefined) break;
    flags.add(option.name);
    if (option.value === undefined) continue;
    const value = words[++at];
    if (value === undefined) throw usage(name, `${word} needs a value (${option.value})`);
    values.set(option.name, value);
  }
  const rest = words.slice(at);
  if (rest[0]?.startsWith('-') === true && rest[0] !== '-') throw usage(name, `unknown option ${rest[0]}`);
  const clash = [
    ['c', 'D'],
    ['c', 'U'],
    ['D', 'U'],
    ['D', 'b'],
    ['b', 'U'],
    ['H', 'scram'],
  ].find((pair) => pair.every((flag) => flags.has(flag)));
  if (clash !== undefined) {
    const [one, other] = clash.map((flag) => (flag.length === 1 ? `-${flag}` : `--${flag}`));
    throw usage(name, `${one} and ${other} cannot be used together`);
  }
  const mode = flags.has('c') ? 'create' : flags.has('D') ? 'delete' : flags.has('U') ? 'upgrade' : 'set';
  const [file = '', user = '', password] = rest;
  checkWords(mode, flags.has('b'), rest);
  const isScram = flags.has('scram');
  const hash = values.get('H') ?? defaultHash;
  if (!hashKinds.includes(hash))
    throw usage(name, `there is no hash '${hash}'; there are ${hashKinds.join(', ')}`);
  const iterations = iterationsOf(values.get('I'));
  if (iterations !== undefined && hash !== defaultHash) throw usage(name, `-I has no meaning for ${hash}`);
  return { mode, hash, iterations, isScram, file, name: user, password };
}

function checkWords(mode: PasswdCall['mode'], isBatch: boolean, rest: readonly string[]): void {
  const wanted = mode === 'upgrade' ? ['FILE'] : ['FILE', 'NAME', ...(isBatch ? ['PASSWORD'] : [])];
  const missing = wanted[rest.length];
  if (missing !== undefined) throw usage(name, `${missing} is missing`);
  // The word itself may be a password.
  if (rest.length > wanted.length) throw usage(name, `there is a word too many behind ${wanted.join(' ')}`);
  const [file, user, password] = rest;
  if (file === '-' && mode !== 'create') throw usage(name, '- as FILE needs -c');
  if (mode === 'upgrade') return;
  const fault = nameFault(user ?? '');
  if (fault !== undefined) throw usage(name, `the user name ${fault}`);
  if (isBatch && (password === '' || Buffer.byteLength(password ?? '') > maximumLength))
    throw usage(name, `the password must have 1 to ${maximumLength} bytes`);
}

function nameFault(user: string): string | undefined {
  if (user === '') return 'is empty';
  if (Buffer.byteLength(user) > maximumLength) return `is longer than ${maximumLength} bytes`;
  if (user.includes(':')) return 'must not hold a colon';
  if (user.startsWith('#')) return 'must not begin with #';
  return /\p{Cc}/u.test(user) ? 'must not hold control characters' : undefined;
}

function iterationsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 10_000_000)
    throw usage(name, `-I takes a whole number from 1 to 10000000, not '${text}'`);
  return value;
}
