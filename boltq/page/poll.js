// Looking again: one request after the other has come, slower where nothing changes, never unseen.

import { get } from "./ask.js";
import { batch, effect, signal, useEffect, useMemo } from "./html.js";
import { everySeconds, secret } from "./kept.js";

const SLOWEST_SECONDS = 10;
const SLOWER = 1.5;
const JITTER = 0.1;

/** True while the page is to stand still. */
export const isPaused = signal(false);

export class Poll {
  /**
   * Look at `path`, which a function may tell anew each time, until stopped. `every` is the shortest pause in seconds, of the person's choice if
   * it is null, and `slowest` the longest; `read` makes a value of an answer; `then` is told of each new one.
   */
  constructor(path, { every = null, slowest = SLOWEST_SECONDS, read = (answer) => answer.json(), then = null } = {}) {
    Object.assign(this, { path, every, slowest, read, then });
    this.value = signal(null);
    this.problem = signal(null);
    /** When the server was last heard of, by this computer's clock. */
    this.heard = signal(0);
    this._tag = "";
    this._pause = 0;
    this._isDue = false;
    this._timer = null;
    this._asking = null;
    this._onSight = () => { if (!document.hidden) this.look(); };
  }

  start() {
    this._isOn = true;
    document.addEventListener("visibilitychange", this._onSight);
    this._following = effect(() => {
      const isStill = isPaused.value;
      secret.value;
      if (!isStill) this._soon(0);
    });
    return this;
  }

  stop() {
    this._isOn = false;
    clearTimeout(this._timer);
    document.removeEventListener("visibilitychange", this._onSight);
    this._following?.();
    this._asking?.abort();
  }

  /** Look now, and from then on as at the beginning. */
  look() {
    this._pause = 0;
    this._isDue = false;
    if (!isPaused.peek() || !this.heard.peek()) this._soon(0);
  }

  _soon(seconds) {
    clearTimeout(this._timer);
    // One at a time: whoever asks sees to it that the next one comes.
    if (this._asking) { this._again = true; return; }
    this._timer = setTimeout(() => this._ask(), seconds * 1000);
  }

  async _ask() {
    if (!this._isOn || document.hidden || (isPaused.peek() && this.heard.peek())) return;
    this._asking = new AbortController();
    let wait = 0;
    try {
      const headers = this._tag ? { "If-None-Match": this._tag } : {};
      // By itself it takes what others saw in the last second; a person who acted sees what came of it.
      if (this._isDue) headers["Cache-Control"] = "max-age=1";
      this._isDue = true;
      const answer = await get(typeof this.path === "function" ? this.path() : this.path, { headers, signal: this._asking.signal });
      if (!this._isOn) return;
      this._took(answer);
    } catch (problem) {
      if (!this._isOn || problem.name === "AbortError") return;
      this.problem.value = problem;
      wait = problem.retryAfter || 2;
      this._pause *= SLOWER;
    } finally {
      this._asking = null;
    }
    const shortest = this.every ?? everySeconds.peek();
    const pause = Math.max(wait, shortest, Math.min(this.slowest, this._pause));
    const again = this._again;
    this._again = false;
    this._soon(again ? 0.05 : pause * (1 + JITTER * (2 * Math.random() - 1)));
  }

  _took(answer) {
    const isNew = answer.status !== 304;
    this._pause = isNew ? 0 : Math.max(this._pause, this.every ?? everySeconds.peek()) * SLOWER;
    batch(() => {
      this.problem.value = null;
      this.heard.value = Date.now();
      if (!isNew) return;
      this._tag = answer.tag;
      this.value.value = this.read(answer);
    });
    if (isNew && this.then) this.then(this.value.peek());
  }
}

/** A poll that lives as long as the component does, and begins anew with another path. */
export function usePoll(path, told = {}) {
  const poll = useMemo(() => (path === null ? null : new Poll(path, told)), [path]);
  useEffect(() => {
    poll?.start();
    return () => poll?.stop();
  }, [poll]);
  return poll;
}
