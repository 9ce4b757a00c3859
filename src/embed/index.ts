/** Level 5, `davylamp/broker`: a broker in one's own program. What is exported here is the package's public interface. */
export { DavylampError, LineLogger, silentLogger, type ErrorCode, type Logger, type LogLevel } from '#base';
export type {
  AuthenticationExchange,
  AuthenticationStep,
  ClientInfo,
  DropPolicy,
  EnhancedAuthenticator,
  HookMessage,
  Identity,
  Journal,
  MessageChange,
  MessageDrop,
  QueueView,
  Statistics,
  Transformed,
} from '#broker';
export { ReasonCode, type PublishProperties, type Qos, type UserProperty } from '#mqtt';
export { hashPassword, hashScram } from '#security';
export { Broker } from './broker.ts';
export type {
  BrokerHooks,
  BrokerOptions,
  Listening,
  ListenerOptions,
  MessageHandler,
  PersistenceOptions,
  PublishOptions,
  SignIn,
  SignInDecision,
  SubscribeOptions,
} from './options.ts';
