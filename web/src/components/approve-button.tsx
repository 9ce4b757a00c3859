import type { JSX } from 'preact';
import type { DeviceView } from '../../../src/api/types.ts';
import { useScreen } from '../state/screen.ts';

/** Takes a device that nobody knew into the fold, in the operator's name. */
export function ApproveButton({ device }: { readonly device: DeviceView }): JSX.Element {
  const screen = useScreen();
  return (
    <button
      type="button"
      disabled={screen.store.stale.value}
      aria-label={`Approve ${device.name}`}
      onClick={() => screen.asOperator(() => void screen.actions.approve(device))}
    >
      Approve
    </button>
  );
}
