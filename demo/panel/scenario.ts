import { html, type TemplateResult } from 'lit';
import type { StoryState } from '../step.ts';
import { STORIES, STORY_GROUPS } from '../stories.ts';
import type { Presenting } from './later.ts';

/** How Link and the providers behave from the next press on. Choosing is enough: Link is filled in with it. */
export function scenarioPicker(
  state: StoryState | undefined,
  { choose }: Presenting,
  hasServer: boolean,
): TemplateResult {
  const chosen = state?.scenario ?? STORIES[0]?.id;
  return html`<div class="scenario">
    <label for="story">Scenario</label>
    <div class="picker">
      <select id="story" @change=${({ target }: Event) => choose((target as HTMLSelectElement).value)}>
        ${STORY_GROUPS.map(
          (group) =>
            html`<optgroup label=${group}>${STORIES.filter((story) => story.group === group).map(
              ({ id, title, kills }) =>
                html`<option value=${id} .selected=${id === chosen} ?disabled=${kills && !hasServer}>${title}${kills && !hasServer ? ' (needs npm run demo)' : ''}</option>`,
            )}</optgroup>`,
        )}
      </select>
    </div>
  </div>`;
}
