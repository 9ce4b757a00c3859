/** Level 1: the one typed configuration and its TOML reader. Pure text in, `Config` out. */
export type {
  BridgeConfig,
  BridgeTopicConfig,
  CommandGateConfig,
  Config,
  ConfigWarning,
  LimitsConfig,
  ListenerConfig,
  MosquittoLogConfig,
  MosquittoLogDestination,
  MosquittoLogType,
  PersistenceConfig,
  PlatformConfig,
  Role,
  TlsFilesConfig,
  TlsVersion,
  WebSocketConfig,
} from './config.ts';
export { mosquittoLogTypes } from './config.ts';
export { readToml, type TomlOptions } from './toml.ts';
export { configReference } from './reference.ts';
