import type { JSX } from 'preact';
import { countOf } from '../format.ts';
import type { SiteGroup } from '../state/overview.ts';
import { useScreen } from '../state/screen.ts';
import { DeviceTile } from './device-tile.tsx';

/** Every detector by site, most urgent first. */
export function Overview(): JSX.Element {
  const { store } = useScreen();
  const groups = store.groups.value;
  return (
    <section class="overview" aria-label="Detectors">
      <div class="overview-head">
        <h1>Detectors</h1>
        <label class="filter">
          <span>Filter</span>
          <input
            type="search"
            value={store.filter.value}
            placeholder="name, site, MAC, state …"
            onInput={(event) => (store.filter.value = event.currentTarget.value)}
          />
        </label>
      </div>
      {groups.length === 0 && <Nothing />}
      {groups.map((group) => (
        <Site key={group.site} group={group} />
      ))}
    </section>
  );
}

function Nothing(): JSX.Element {
  const { store } = useScreen();
  if (store.devices.value.size > 0) return <p class="empty">No detector matches “{store.filter.value}”.</p>;
  if (store.snapshots.value > 0) {
    return <p class="empty">No detector has been heard yet. Each one appears here with its first reading.</p>;
  }
  return <p class="empty">Waiting for the server …</p>;
}

function Site({ group }: { readonly group: SiteGroup }): JSX.Element {
  const { store } = useScreen();
  return (
    <section class="site" aria-label={`Site ${group.site}`}>
      <h2>
        {group.site} <small>{siteText(group)}</small>
      </h2>
      <ul class="tiles">
        {group.ids.map((id) => {
          const device = store.devices.value.get(id);
          return device === undefined ? null : <DeviceTile key={id} device={device} />;
        })}
      </ul>
    </section>
  );
}

/** `6 devices` when all is well; what is not is named. */
function siteText({ counts }: SiteGroup): string {
  const parts = [countOf(counts.total, 'device')];
  if (counts.gas > 0) parts.push(`${counts.gas} gas`);
  if (counts.silent > 0) parts.push(`${counts.silent} silent`);
  if (counts.warming > 0) parts.push(`${counts.warming} warming up`);
  if (counts.unapproved > 0) parts.push(`${counts.unapproved} new`);
  return parts.join(', ');
}
