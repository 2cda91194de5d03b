/** The environment variables that libtensorflow reads when it loads. */

/** Keeps TensorFlow's notices (2 = errors only) off stderr unless the user has asked for them. Call before it loads. */
export function quietTensorflow(env: NodeJS.ProcessEnv = process.env): void {
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
}

/** Lets TensorFlow use so many threads, unless the user has said how many. Call before it loads. */
export function boundTensorflow(threads: number, env: NodeJS.ProcessEnv = process.env): void {
  for (const name of ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS'])
    env[name] ??= String(threads);
}
