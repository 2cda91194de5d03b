/** The environment variable that libtensorflow reads when it loads. */

/** Keeps TensorFlow's notices (2 = errors only) off stderr unless the user has asked for them. Call before it loads. */
export function quietTensorflow(env: NodeJS.ProcessEnv = process.env): void {
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
}
