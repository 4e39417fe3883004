import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Arguments: broker, group. Prints what kafka-consumer-groups shows: the members with their partitions, and how far each partition is. */
public class GroupLag {
  public static void main(String[] arguments) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
      ConsumerGroupDescription group = admin.describeConsumerGroups(List.of(arguments[1])).all().get().get(arguments[1]);
      String partitions = group.members().stream().flatMap(member -> member.assignment().topicPartitions().stream())
          .map(TopicPartition::toString).sorted().collect(Collectors.joining(" "));
      System.out.println(group.groupState() + " " + group.members().size() + " member: " + partitions);
      Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(arguments[1]).partitionsToOffsetAndMetadata().get();
      var ends = admin.listOffsets(offsets.keySet().stream().collect(Collectors.toMap(one -> one, one -> OffsetSpec.latest()))).all().get();
      var sorted = new TreeMap<TopicPartition, OffsetAndMetadata>((a, b) -> a.toString().compareTo(b.toString()));
      sorted.putAll(offsets);
      sorted.forEach((partition, offset) -> System.out.println(partition + " " + offset.offset() + " of " + ends.get(partition).offset()));
    }
  }
}
