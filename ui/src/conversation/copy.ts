// Copying a message with its source, and saying whether it worked.

import { copyText, type Shown } from '../api';
import { labelOf } from '../state/archive.svelte';
import { say } from '../state/layer.svelte';
import { citation } from './citation';

export async function copyWithSource(message: Shown, zone: string): Promise<void> {
  try {
    await copyText(citation(message, labelOf(message.source), zone));
    say('Copied with its source');
  } catch {
    say('The system did not let Evoke copy');
  }
}
