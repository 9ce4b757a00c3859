import type {
  AuthenticationExchange,
  AuthenticationResult,
  AuthenticationStep,
  Authenticator,
  Authorizer,
  EnhancedAuthenticator,
  ListenerProfile,
} from '#broker';
import { ReasonCode } from '#mqtt';
import { openAuthenticator, openAuthorizer, wideLimits } from '../helpers/broker-harness.ts';

/** The listeners that a connection of the fuzzer can come by, by name. */
export const profileNames = [
  'open',
  'ruled',
  'later',
  'stamped',
  'mounted',
  'urgent',
  'narrow',
  'strict',
  'inside',
] as const;
export type ProfileName = (typeof profileNames)[number];

/** Reading and publishing are allowed by the length of the topic: cheap, and different for what is alike. */
const ruled: Authorizer = {
  generation: 0,
  mayPublish: (_identity, topic) => topic.length !== 3,
  mayRead: (_identity, topic) => topic.length !== 1,
  maySubscribe: (_identity, filter) => (filter === '+' ? 'none' : filter.length === 3 ? 'all' : 'some'),
};

/** Made once: a stack for each would cost more than all else that a case does. */
export const failure = new Error('asked to fail');

function judge(username: string | undefined): AuthenticationResult {
  if (username === 'refused') return { reasonCode: ReasonCode.BadUserNameOrPassword, detail: 'refused' };
  // Whoever has the ticket of `u` is not welcome any more when it is asked.
  return { reasonCode: 0, name: username ?? null, ...(username === 'u' ? { ticket: 'gone' } : {}) };
}

const judging: Authenticator = {
  authenticate: ({ username }) => judge(username),
  isStillWelcome: (_identity, ticket) => ticket !== 'gone',
};

/** A method that does what its data says; `later` and `reject` take a promise. */
class TestExchange implements AuthenticationExchange {
  step(data: Buffer | undefined): AuthenticationStep | Promise<AuthenticationStep> {
    const success: AuthenticationStep = { kind: 'success', name: null, data: undefined };
    switch (data?.toString()) {
      case 'go on':
        return { kind: 'continue', data: Buffer.from('more') };
      case 'no':
        return { kind: 'failure', reasonCode: ReasonCode.NotAuthorized, detail: 'no' };
      case 'bad':
        return { kind: 'failure', reasonCode: ReasonCode.BadUserNameOrPassword, detail: 'bad' };
      case 'other':
        return { ...success, name: 'other', ticket: 'gone' };
      case 'later':
        return Promise.resolve(success);
      case 'throw':
        throw failure;
      case 'reject':
        return Promise.reject(failure);
      default:
        return success;
    }
  }
}

const enhancedAuthenticator: EnhancedAuthenticator = {
  methods: ['TEST', 'BROKEN'],
  begin: (method) => {
    if (method === 'BROKEN') throw failure;
    return new TestExchange();
  },
};

const laterAuthenticator: Authenticator = {
  authenticate: ({ username }) =>
    username === 'u' ? Promise.reject(failure) : Promise.resolve(judge(username)),
};

const open: ListenerProfile = {
  name: 'open',
  authenticator: openAuthenticator,
  authorizer: openAuthorizer,
  enhancedAuthenticator,
  stampSite: null,
  minimumQos: 0,
  sharedClientIds: new Set(),
};

export const profiles: Readonly<Record<ProfileName, ListenerProfile>> = {
  open,
  ruled: {
    ...open,
    name: 'ruled',
    authenticator: judging,
    authorizer: ruled,
  },
  later: { ...open, name: 'later', authenticator: laterAuthenticator },
  stamped: {
    ...open,
    name: 'stamped',
    stampSite: 'site',
    minimumQos: 1,
    sharedClientIds: new Set(['shared']),
  },
  mounted: { ...open, name: 'mounted', mountPoint: 'a/' },
  urgent: {
    ...open,
    name: 'urgent',
    queue: { urgentTopics: ['a/#', '+/b'], whenFull: 'drop-oldest', maximumAgeMs: 2000 },
  },
  strict: {
    ...open,
    name: 'strict',
    authenticator: judging,
    authorizer: ruled,
    limits: {
      ...wideLimits,
      maximumSessionExpirySeconds: 5,
      clientIdPrefixes: ['a', 'b', 'shared', 'given-'],
      assignedClientIdPrefix: 'given-',
      maximumKeepAliveSeconds: 60,
      refusesLongKeepAlive: true,
      maximumTopicLength: 4,
      forbiddenWill: 'drop',
      topicAliasMaximum: 0,
      topicAliasMaximumOutgoing: 1,
    },
  },
  inside: { ...open, name: 'inside', isInside: true, port: 'inside' },
  narrow: {
    ...open,
    name: 'narrow',
    limits: {
      ...wideLimits,
      maximumPacketSize: 4096,
      maximumSessionExpirySeconds: 5,
      maximumQueuedMessages: 3,
      maximumInflight: 2,
      maximumInflightBytes: 20,
      maximumQos: 1,
      retainAvailable: false,
      queueQos0: true,
      upgradeOutgoingQos: true,
      acceptedVersions: [4, 5],
      usernameAsClientId: true,
      maximumPayloadSize: 100,
      minimumDrainRate: 1,
    },
  },
};
