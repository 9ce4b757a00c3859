import { messageOf, type SparingLog } from '#base';
import type {
  AuthenticationResult,
  Authenticator,
  Authorizer,
  Credentials,
  EnhancedAuthenticator,
  Identity,
} from '#broker';
import { ReasonCode } from '#mqtt';
import type { BrokerHooks, SignInDecision } from './options.ts';

/** What hooks need to be called safely. */
export interface HookContext {
  readonly hooks: BrokerHooks;
  readonly log: SparingLog;
  /** Ends the connection of a client whose hook has failed. */
  readonly expel: (clientId: string) => void;
}

/** The listener's rules (`null` = it has none) and then the hook, where there is one. */
export function withHook(
  rules: Authenticator | null,
  listener: string,
  { hooks, log }: HookContext,
): Authenticator {
  if (hooks.authenticate === undefined) return rules ?? refuseAll;
  const ask = async (
    credentials: Credentials,
    verifiedName: string | null,
  ): Promise<AuthenticationResult> => {
    try {
      const client = { ...credentials, listener, verifiedName };
      const decision = await hooks.authenticate?.(client);
      return resultOf(decision ?? false, verifiedName ?? credentials.username ?? null);
    } catch (error) {
      const reason = messageOf(error);
      const text = `hook authenticate failed for client ${credentials.clientId}: ${reason}`;
      log.error(text, {}, `hook authenticate failed: ${reason}`);
      return { reasonCode: ReasonCode.ServerUnavailable, detail: 'sign-in is not available' };
    }
  };
  return {
    async authenticate(credentials) {
      if (rules === null) return ask(credentials, null);
      const verdict = await rules.authenticate(credentials);
      return 'name' in verdict ? ask(credentials, verdict.name) : verdict;
    },
  };
}

const refuseAll: Authenticator = {
  authenticate: () => ({ reasonCode: ReasonCode.NotAuthorized, detail: 'nobody may sign in here' }),
};

function resultOf(decision: SignInDecision, name: string | null): AuthenticationResult {
  if (decision === true) return { reasonCode: ReasonCode.Success, name };
  if (decision === false) return { reasonCode: ReasonCode.NotAuthorized, detail: 'not authorized' };
  if ('name' in decision) return { reasonCode: ReasonCode.Success, name: decision.name };
  const { reasonCode, detail = 'refused by the program' } = decision;
  return { reasonCode: reasonCode >= 0x80 ? reasonCode : ReasonCode.NotAuthorized, detail };
}

/** The methods of both; the listener's own come first. */
export function joinMethods(
  own: EnhancedAuthenticator | null,
  given: EnhancedAuthenticator | undefined,
): EnhancedAuthenticator | null {
  if (own === null) return given ?? null;
  if (given === undefined) return own;
  return {
    methods: [...own.methods, ...given.methods],
    begin: (method, credentials) => (own.methods.includes(method) ? own : given).begin(method, credentials),
  };
}

/** The access rules of a listener, and the hooks beside them: both have to say yes. */
export class HookAuthorizer implements Authorizer {
  readonly #rules: Authorizer;
  readonly #context: HookContext;
  #changes = 0;

  constructor(rules: Authorizer, context: HookContext) {
    this.#rules = rules;
    this.#context = context;
  }

  get generation(): number {
    return this.#rules.generation + this.#changes;
  }

  /** What was decided before does not count any more. */
  rulesChanged(): void {
    this.#changes++;
  }

  mayPublish(identity: Identity, topic: string): boolean {
    if (!this.#rules.mayPublish(identity, topic)) return false;
    const { hooks } = this.#context;
    if (hooks.authorizePublish === undefined) return true;
    try {
      return hooks.authorizePublish(identity, topic);
    } catch (error) {
      return this.#onFault('authorizePublish', identity, error);
    }
  }

  mayRead(identity: Identity, topic: string): boolean {
    if (!this.#rules.mayRead(identity, topic)) return false;
    const { hooks } = this.#context;
    if (hooks.authorizeRead === undefined) return true;
    try {
      return hooks.authorizeRead(identity, topic);
    } catch (error) {
      return this.#onFault('authorizeRead', identity, error);
    }
  }

  maySubscribe(identity: Identity, filter: string): 'all' | 'some' | 'none' {
    const access = this.#rules.maySubscribe(identity, filter);
    if (access === 'none') return 'none';
    const { hooks } = this.#context;
    try {
      if (hooks.authorizeSubscribe?.(identity, filter) === false) return 'none';
    } catch (error) {
      this.#onFault('authorizeSubscribe', identity, error);
      return 'none';
    }
    return hooks.authorizeRead === undefined ? access : 'some';
  }

  #onFault(hook: string, identity: Identity, error: unknown): false {
    const reason = messageOf(error);
    const text = `hook ${hook} failed for client ${identity.clientId}: ${reason}`;
    this.#context.log.error(text, {}, `hook ${hook} failed: ${reason}`);
    this.#context.expel(identity.clientId);
    return false;
  }
}

/** Whether any of the hooks asks for a `HookAuthorizer`. */
export function authorizes(hooks: BrokerHooks): boolean {
  return (
    hooks.authorizePublish !== undefined ||
    hooks.authorizeSubscribe !== undefined ||
    hooks.authorizeRead !== undefined
  );
}
