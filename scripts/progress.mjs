// Plain JavaScript: it runs on whatever Node a fresh machine has.

const FIRST_LINE_MS = 2_000;
const NEXT_LINE_MS = 10_000;

/**
 * Waits for `work` and says every now and then that it still goes on; quick work stays silent.
 *
 * @template T
 * @param {string} label What is being done, as in "installing packages".
 * @param {Promise<T>} work What to wait for.
 * @param {() => string} [detail] How far it is, as in "120 packages".
 * @returns {Promise<T>} What `work` returned.
 */
export async function withProgress(label, work, detail = () => '') {
  const startedAt = performance.now();
  const say = () => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const suffix = detail();
    console.error(`  … ${label}: ${seconds} s${suffix === '' ? '' : `, ${suffix}`}`);
    timer = setTimeout(say, NEXT_LINE_MS);
  };
  let timer = setTimeout(say, FIRST_LINE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
