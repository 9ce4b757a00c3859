/** Level 2: every device that was heard, its state, its warm-up and its silence. No I/O. */
export {
  DeviceRegistry,
  type Admission,
  type DeviceRegistryOptions,
  type Observation,
} from './device-registry.ts';
