/* How an attempt to move bytes through a non-blocking descriptor ended. */
#ifndef IO_RESULT_H
#define IO_RESULT_H

enum io_result {
    IO_OK,
    IO_AGAIN,       /* wait until the descriptor is readable */
    IO_AGAIN_WRITE, /* wait until the descriptor is writable */
    IO_CLOSED,      /* the peer closed cleanly */
    IO_FAILED,      /* broken; errno says why where the system knows */
    IO_WRONG_PIN,   /* the server's key is not the one we were told of */
};

#endif
