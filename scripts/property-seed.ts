// CI repeats itself: there, every property runs with one seed. Elsewhere each run tries new values.

if (process.env.CI === 'true') {
  const { default: fastCheck } = await import('fast-check');
  fastCheck.configureGlobal({ ...fastCheck.readConfigureGlobal(), seed: 20_261_123 });
}
