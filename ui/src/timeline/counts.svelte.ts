// What the timeline shows, as the memory counted it. Of each kind of question only the last answer is
// taken, and the old one stays until it is there.

import * as api from '../api';
import type { Day, Query, Timeline, Trouble, Unit } from '../api';
import { yearRange } from '../state/dates';
import type { View } from './viewport';

/** Finer bars around the view. `from` and `until` are what was asked for, `about` for which query and archive. */
type Near = View & { unit: Unit; about: string; counted: Timeline };

class Counts {
  /** Every month of the archive, or of the search. */
  months: Timeline | null = $state.raw(null);
  near: Near | null = $state.raw(null);
  /** The days of one year, over the whole archive. */
  year: { year: number; counted: Timeline } | null = $state.raw(null);
  day: Day | null = $state.raw(null);
  trouble: Trouble | null = $state.raw(null);

  loadMonths = this.#latest(
    (query: Query | null) => api.timeline(query, 'month', null, null),
    (counted) => (this.months = counted),
  );

  loadNear = this.#latest(
    async (query: Query | null, about: string, unit: Unit, view: View): Promise<Near> => {
      const counted = await api.timeline(query, unit, Math.floor(view.from), Math.ceil(view.until));
      return { ...view, unit, about, counted };
    },
    (near) => (this.near = near),
  );

  loadYear = this.#latest(
    async (year: number, zone: string) => {
      const { from, until } = yearRange(year, zone);
      return { year, counted: await api.timeline(null, 'day', from, until) };
    },
    (year) => (this.year = year),
  );

  loadDay = this.#latest(
    (date: string, sources: string[]) => api.day(date, sources),
    (day) => (this.day = day),
  );

  /** Wraps a question so that an answer overtaken by a later question is dropped. */
  #latest<Asked extends unknown[], Answer>(
    ask: (...asked: Asked) => Promise<Answer>,
    take: (answer: Answer) => void,
  ): (...asked: Asked) => Promise<void> {
    let turn = 0;
    return async (...asked) => {
      const mine = (turn += 1);
      try {
        const answer = await ask(...asked);
        if (mine !== turn) return;
        take(answer);
        this.trouble = null;
      } catch (thrown) {
        if (mine === turn) this.trouble = api.asTrouble(thrown);
      }
    };
  }
}

export const counts = new Counts();
