/** A debugger as editors are: attaches to a program by its websocket, enables what they enable, and stays. */
const socket = new WebSocket(process.argv[2]);
let id = 0;
const send = (method, params = {}) => socket.send(JSON.stringify({ id: ++id, method, params }));
socket.onopen = () => {
  send('Runtime.enable');
  send('Debugger.enable');
  send('Debugger.setAsyncCallStackDepth', { maxDepth: 32 });
  send('Runtime.runIfWaitingForDebugger');
};
socket.onmessage = ({ data }) => {
  const { method } = JSON.parse(data);
  if (method === 'Debugger.paused') send('Debugger.resume');
  if (method === 'Runtime.executionContextDestroyed') socket.close(); // the program has ended, and waits for this
};
socket.onerror = () => process.exit(1);
socket.onclose = () => process.exit();
