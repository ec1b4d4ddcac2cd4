#!/bin/bash
# By the variables of Kafka's own script of this name.
exec /opt/java/bin/java ${KAFKA_HEAP_OPTS:--Xmx256M} ${KAFKA_JVM_PERFORMANCE_OPTS:-} ${KAFKA_LOG4J_OPTS:-} -Dkafka.logs.dir="${LOG_DIR:-/opt/kafka/logs}" \
    -cp '/opt/kafka/libs/*' ${KAFKA_OPTS:-} "$@"
