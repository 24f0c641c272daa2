import {
  attachAgain,
  captureStore,
  follow,
  isCapturing,
  pauseView,
  showCapture,
  showsCapture,
  stopCapture,
} from '../state/capture.ts';
import { profilesStore } from '../state/capture-profiles.ts';
import { uiStore, viewportStore } from '../state/stores.ts';
import type { Command } from './registry.ts';

export const captureCommands: readonly Command[] = [
  {
    id: 'capture.attach',
    title: 'Attach to a machine…',
    group: 'Capture',
    keys: ['$mod+KeyR'],
    enabled: () => !isCapturing(),
    run: () => uiStore.setState({ dialog: 'attach' }),
  },
  {
    id: 'capture.again',
    title: 'Attach again with the same settings',
    group: 'Capture',
    keys: [],
    enabled: () => !isCapturing() && profilesStore.getState().last !== null,
    run: attachAgain,
  },
  {
    id: 'capture.stop',
    title: 'Stop the capture',
    group: 'Capture',
    keys: [],
    enabled: () => isCapturing() && !captureStore.getState().stopping,
    run: stopCapture,
  },
  {
    id: 'capture.follow',
    title: 'Follow what is captured',
    group: 'Capture',
    keys: ['KeyL'],
    enabled: showsCapture,
    run: () => follow(!viewportStore.getState().follow),
  },
  {
    id: 'capture.pause',
    title: 'Pause the view while the capture goes on',
    group: 'Capture',
    keys: ['KeyP'],
    enabled: showsCapture,
    run: () => pauseView(!captureStore.getState().paused),
  },
  {
    id: 'capture.show',
    title: 'Show the capture that runs',
    group: 'Capture',
    keys: [],
    enabled: () => isCapturing() && !showsCapture(),
    run: showCapture,
  },
];
